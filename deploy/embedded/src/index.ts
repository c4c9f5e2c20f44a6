export { DataDirectory } from './data-directory.ts';
export { prepareEnvironments, provisionDatabases, schemas, type Databases, type Environments } from './environment.ts';
export { startStack } from './stack.ts';
export { seed, codeOf, invite, type Seeded } from './seed.ts';
export { Person, type SavedPerson } from './person.ts';
export { Phone, type ScannedLogin } from './phone.ts';
export * from './generated/operations.ts';
export { LoginAtComputer } from './computer-terminal.ts';
export { computerFolders, enrollComputer, runAgent, startComputer, type RunningComputer } from './demo-computer.ts';
