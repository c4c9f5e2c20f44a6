export { newId, isId, idTime, type Id } from './ids.ts';
export { systemClock, addSeconds, type Clock } from './clock.ts';
export { Problem, Refusal, notFound, invalidInput, conflict, refusalCodes, type RefusalCode } from './problem.ts';
export { pageRequest, connection, maxPageSize, type PageRequest, type Connection } from './page.ts';
