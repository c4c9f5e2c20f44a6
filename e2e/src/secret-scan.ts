/** Every way in which a secret may be written down: as it is, in JSON, in a URL, in hex, and in base64 wherever it stands in what was encoded. */
export function spellings(secret: Buffer | string): string[] {
  const bytes = Buffer.from(secret);
  const text = bytes.toString('utf8');
  const written = [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text.toWellFormed()), bytes.toString('hex')];
  const encoded = (['base64', 'base64url'] as const).flatMap((encoding) =>
    [0, 1, 2].map((before) => {
      // Three bytes are four characters: those that the neighbours have a part in are left out.
      const padded = Buffer.concat([Buffer.alloc(before), bytes])
        .toString(encoding)
        .replace(/=+$/, '');
      return padded.slice(before === 0 ? 0 : before + 1, -1);
    }),
  );
  return [...new Set([...written, bytes.toString('hex').toUpperCase(), ...encoded])].filter((one) => /^[\x20-\x7e]{8,}$/.test(one));
}

/** Which of the secrets stand in which of the places, in whatever spelling. */
export function found(secrets: Record<string, Buffer | string>, places: Record<string, Buffer | string>): string[] {
  return Object.entries(places).flatMap(([place, content]) => {
    const text = typeof content === 'string' ? content : content.toString('latin1');
    return Object.entries(secrets)
      .filter(([, secret]) => spellings(secret).some((one) => text.includes(one)))
      .map(([name]) => `${name} in ${place}`);
  });
}
