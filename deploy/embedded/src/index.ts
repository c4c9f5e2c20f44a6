export { DataDirectory } from './data-directory.ts';
export { prepareEnvironments, provisionDatabases, schemas, type Databases, type Environments } from './environment.ts';
export { startStack } from './stack.ts';
export { seed, codeOf, type Seeded } from './seed.ts';
export { Phone, type ScannedLogin } from './phone.ts';
export type { DemoWorld } from './world.ts';
export * from './generated/operations.ts';
export { LoginAtComputer } from './computer-terminal.ts';
export { computerFolders, enrollComputer, runAgent, startComputer, type RunningComputer } from './demo-computer.ts';
