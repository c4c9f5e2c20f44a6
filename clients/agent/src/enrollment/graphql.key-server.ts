import { StintClient, StintError } from '@stint/sdk';
import { RotateCredentialDocument, ThisDeviceDocument } from '../generated/operations.ts';
import type { KeyServer } from './key-rotation.ts';

/** The server at `url`, for the change of a key. */
export function graphqlKeyServer(url: string): KeyServer {
  const unauthenticated = (error: unknown) => {
    if (error instanceof StintError && error.code === 'UNAUTHENTICATED') return null;
    throw error;
  };
  return {
    async register(by, next) {
      const answer = await new StintClient({ url, credential: by })
        .request(RotateCredentialDocument, { input: next })
        .catch(unauthenticated);
      if (answer === null) return 'refused';
      return answer.rotateCredential.__typename === 'CredentialRotation' ? 'registered' : 'conflict';
    },
    async takes(key) {
      return (await new StintClient({ url, credential: key }).request(ThisDeviceDocument, {}).catch(unauthenticated)) !== null;
    },
  };
}
