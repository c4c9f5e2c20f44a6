// as: libs/host/src/rows.ts
// breaks: stint/door | typeorm is behind the door "database"
export { DataSource } from 'typeorm';
