import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));

/** Whether a Chromium is installed; without one, tests in a browser are skipped, which CI does not allow. */
export const chromiumIsInstalled = program !== undefined;

/** A person's browser with a passkey in it: Chromium with a virtual authenticator that verifies its user (WebAuthn §11). */
export class PersonsBrowser {
  readonly page: Page;
  readonly #browser: Browser;

  private constructor(browser: Browser, page: Page) {
    this.#browser = browser;
    this.page = page;
  }

  static async open(): Promise<PersonsBrowser> {
    if (program === undefined) throw new Error('No Chromium is installed.');
    // As root, as in CI, Chromium cannot make its sandbox; it opens nothing but our own pages.
    const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
    const context = await browser.newContext();
    const page = await context.newPage();
    await addAuthenticator(context, page);
    return new PersonsBrowser(browser, page);
  }

  close(): Promise<void> {
    return this.#browser.close();
  }
}

async function addAuthenticator(context: BrowserContext, page: Page): Promise<void> {
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}
