import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import { entraRole, invite } from '@stint/embedded';
import { eventually } from '@stint/testing';
import { chromiumIsInstalled, PersonsBrowser } from './browser.ts';
import { Stint } from './stint.ts';

if (!chromiumIsInstalled) process.stderr.write('SKIPPED: access in Entra in a browser, because Chromium is not installed.\n');

(chromiumIsInstalled ? describe : describe.skip)('access in Entra, in Chromium', () => {
  let stint: Stint;
  let browser: PersonsBrowser;
  const errors: string[] = [];

  beforeAll(async () => {
    stint = await Stint.start({ processes: false, entra: true });
    browser = await PersonsBrowser.open();
    const { page } = browser;
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
    const { mspId: tenantId } = stint.world;
    await page.goto(await invite(stint.administrator, { id: newId(), tenantId, email: 'zoe@northwind.example', roles: ['ADMINISTRATOR'] }));
    await page.getByLabel('Your name').fill('Zoë Zimmer');
    await page.getByRole('button', { name: 'Make a passkey and join' }).click();
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByRole('heading', { name: 'Hello Zoë Zimmer' }).waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await stint?.stop();
  });

  test('asks for a role, signs in with what this browser alone opens, and ends it', async () => {
    const { page } = browser;
    await page.getByRole('link', { name: 'ask for a role in Entra' }).click();
    await page.getByLabel('Customer').selectOption({ label: 'Contoso Dental' });
    await page.getByLabel('Role').fill('Global Administrator');
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('No access rule allows this.').waitFor();
    await page.getByLabel('Role').fill(entraRole);
    await page.getByRole('button', { name: 'Go on' }).click();
    const ask = page.getByRole('button', { name: 'Ask with your passkey' });
    await ask.waitFor();
    expect(await ask.isDisabled()).toBe(true);
    await page.getByLabel('Why (needed)').fill('Locked out');
    await ask.click();
    const show = page.getByRole('button', { name: 'How to sign in' });
    await show.waitFor({ timeout: 30_000 });
    expect(stint.accessInEntra().sort()).toEqual([entraRole, 'a pass', 'enabled']);

    await show.click();
    await page.locator('.secret').waitFor();
    const [upn = '', pass = ''] = await page.locator('dd code').allInnerTexts();
    expect(stint.entra.signIn({ upn, pass })).toMatchObject({ signedIn: true });
    await page.getByRole('button', { name: 'Hide' }).click();
    expect(await page.getByText(pass).count()).toBe(0);
    await page.getByRole('button', { name: 'End now' }).click();
    await eventually(() => expect(stint.accessInEntra()).toEqual([]), { timeoutMs: 30_000 });
  });

  test("comes back from Microsoft's consent page, and finishes the consent", async () => {
    const { page } = browser;
    await page.goto(`${stint.installation.url}/app/entra/consent#${stint.world.tenantId}`);
    await page.getByRole('button', { name: 'Go to Microsoft' }).click();
    await page.getByRole('heading', { name: 'Connected' }).waitFor();
    // What came along counts once, and is in no address any more.
    expect(page.url()).toBe(`${stint.installation.url}/entra/consent`);
  });

  test('nothing in the pages breaks their strict policy', () => {
    expect(errors).toEqual([]);
  });
});
