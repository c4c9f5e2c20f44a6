// ICAO spelling alphabet, as the ITU Radio Regulations (Appendix 14) spell it.
const letters = (
  'Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliett Kilo Lima Mike November Oscar Papa Quebec Romeo Sierra ' +
  'Tango Uniform Victor Whiskey Xray Yankee Zulu'
).split(' ');
const digits = 'zero one two three four five six seven eight nine'.split(' ');
const signs: Readonly<Record<string, string>> = {
  ...{ ' ': 'space', '!': 'exclamation mark', '"': 'double quote', '#': 'hash', $: 'dollar', '%': 'percent', '&': 'ampersand' },
  ...{ "'": 'single quote', '(': 'left parenthesis', ')': 'right parenthesis', '*': 'asterisk', '+': 'plus', ',': 'comma' },
  ...{ '-': 'hyphen', '.': 'dot', '/': 'slash', ':': 'colon', ';': 'semicolon', '<': 'less than', '=': 'equals', '>': 'greater than' },
  ...{ '?': 'question mark', '@': 'at', '[': 'left bracket', '\\': 'backslash', ']': 'right bracket', '^': 'caret' },
  ...{ _: 'underscore', '`': 'backtick', '{': 'left brace', '|': 'vertical bar', '}': 'right brace', '~': 'tilde' },
};

/** How to say a password on the phone, one entry per character: `capital Kilo`, `kilo`, `seven`, `hyphen`. What has no name is told by its number, `U+00E4`. */
export function phonetic(password: string): string[] {
  return [...password].map((character) => {
    if (/^[A-Z]$/.test(character)) return `capital ${letterOf(character)}`;
    if (/^[a-z]$/.test(character)) return letterOf(character.toUpperCase()).toLowerCase();
    if (/^[0-9]$/.test(character)) return digits[Number(character)] ?? '';
    const name = Object.hasOwn(signs, character) ? signs[character] : undefined;
    return name ?? `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  });
}

function letterOf(capital: string): string {
  return letters[capital.charCodeAt(0) - 65] ?? '';
}
