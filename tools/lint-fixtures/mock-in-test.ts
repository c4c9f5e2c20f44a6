// as: services/jit-policy/src/login/login.domain.spec.ts
// breaks: no-restricted-syntax | No mocks
import { jest } from '@jest/globals';

jest.mock('./login.ts');
