// as: libs/kernel/src/loginRequest.ts
// breaks: stint/file-name | "loginRequest.ts" is not kebab-case.layer.ts
export const name = 'loginRequest';
