import { isAbsolute } from 'node:path';

/** Which key on which token, how to reach it, and where the PIN is. */
export interface Pkcs11Location {
  token: string;
  object: string;
  modulePath: string;
  pinFile: string;
}

/**
 * Reads a PKCS #11 URI (RFC 7512): `pkcs11:token=…;object=…?module-path=/…&pin-source=file:/…`. All four are needed, and
 * nothing else is taken, a PIN in the URI least of all. Throws with what to write instead.
 */
export function readPkcs11Uri(uri: string): Pkcs11Location {
  const [, path = '', query = ''] = /^pkcs11:([^?]*)(?:\?(.*))?$/.exec(uri) ?? [];
  const attributes = new Map<string, string>();
  for (const part of [...path.split(';'), ...query.split('&')]) {
    const [name = '', ...value] = part.split('=');
    if (attributes.has(name)) throw new Error(`The PKCS #11 URI says ${name} twice.`);
    if (name !== '') attributes.set(name, decodeURIComponent(value.join('=')));
  }
  const take = (name: string) => {
    const value = attributes.get(name);
    attributes.delete(name);
    if (value === undefined || value === '') throw new Error(`The PKCS #11 URI lacks ${name}. Write ${example}.`);
    return value;
  };
  const token = take('token');
  const object = take('object');
  const modulePath = take('module-path');
  const pinFile = take('pin-source').replace(/^file:(\/\/)?/, '');
  const [surplus] = attributes.keys();
  if (surplus !== undefined) throw new Error(`The PKCS #11 URI says ${surplus}, which is not known here. Write ${example}.`);
  for (const file of [modulePath, pinFile]) if (!isAbsolute(file)) throw new Error('Paths in the PKCS #11 URI must be absolute.');
  return { token, object, modulePath, pinFile };
}

const example = '"pkcs11:token=stint;object=root-1?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/secrets/pin"';
