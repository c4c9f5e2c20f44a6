import { door } from './doors.mjs';
import { layer } from './layers.mjs';
import { fileName } from './names.mjs';
import { libraryDoc } from './library-doc.mjs';

/** Stint's own ESLint rules. */
export const stint = { meta: { name: 'stint' }, rules: { door, layer, 'file-name': fileName, 'library-doc': libraryDoc } };
