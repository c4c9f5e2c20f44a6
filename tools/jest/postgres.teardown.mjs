import { teardown } from '../../libs/testing/src/global-setup.ts';

// Jest wants a default export.
export default teardown;
