// as: libs/host/src/level.ts
// breaks: stint/door | process.env is behind the door "environment"
const { env } = process;

export const level = env['LEVEL'];
