// as: services/jit-policy/src/domain/directory.service.ts
// breaks: stint/door | ldapts is behind the door "LDAP"
import { Client } from 'ldapts';

export const client = Client;
