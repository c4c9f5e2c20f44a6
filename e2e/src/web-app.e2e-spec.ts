import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import { DemoSettingsDocument, invite } from '@stint/embedded';
import { expectType } from '@stint/sdk';
import { eventually } from '@stint/testing';
import { chromiumIsInstalled, PersonsBrowser } from './browser.ts';
import { ask } from './sign-in-world.ts';
import { Stint } from './stint.ts';

if (!chromiumIsInstalled) process.stderr.write('SKIPPED: the web app in a browser, because Chromium is not installed.\n');

(chromiumIsInstalled ? describe : describe.skip)('the web app in Chromium', () => {
  let stint: Stint;
  let browser: PersonsBrowser;
  const errors: string[] = [];

  beforeAll(async () => {
    stint = await Stint.start({ processes: false });
    browser = await PersonsBrowser.open();
    browser.page.on('pageerror', (error) => errors.push(error.message));
    browser.page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
  });
  afterAll(async () => {
    await browser?.close();
    await stint?.stop();
  });

  async function invitationFor(email: string): Promise<string> {
    return invite(stint.administrator, { id: newId(), tenantId: stint.world.mspId, email, roles: ['TECHNICIAN'] });
  }

  test('an invited technician joins with a passkey and is signed in', async () => {
    const { page } = browser;
    await page.goto(await invitationFor('zoe@northwind.example'));
    await page.getByLabel('Your name').fill('Zoë Zimmer');
    await page.getByRole('button', { name: 'Make a passkey and join' }).click();
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByRole('heading', { name: 'Hello Zoë Zimmer' }).waitFor();
    expect(page.url()).toBe(`${stint.installation.url}/app`);
    // Nothing of the one-time link or the tokens stays in an address.
    expect(await page.evaluate(() => history.length > 0 && location.hash)).toBe('');
  });

  test('approves a login by its QR code, and sees, extends and ends the session', async () => {
    const { page } = browser;
    const login = stint.login([]);
    await page.goto(await login.qrAddress());
    await page.getByText(await login.shownNumber(), { exact: true }).waitFor();
    await page.getByText('Contoso Dental').waitFor();
    await page.getByLabel('Why').fill('Printer');
    await page.getByRole('button', { name: 'Approve with your passkey' }).click();
    await page.getByRole('heading', { name: 'Approved' }).waitFor();
    const { account } = await login.result();
    expect(stint.account(account)).toBe('enabled');

    await page.getByRole('link', { name: 'Your sessions' }).click();
    await page.getByText(account).waitFor();
    const ends = async () => page.locator('dt', { hasText: 'Ends' }).locator('xpath=following-sibling::dd').innerText();
    await eventually(async () => {
      await page.reload();
      expect(await ends()).not.toBe('not begun yet');
    });
    const before = await ends();
    await page.getByRole('button', { name: '30 minutes more' }).click();
    await eventually(async () => expect(await ends()).not.toBe(before));
    await page.getByRole('button', { name: 'End now' }).click();
    await eventually(() => expect(stint.account(account)).toBe('disabled'));
  });

  test('answers what waits: a login that asks by PUSH, by the number at the computer, and what a colleague asks for', async () => {
    const { page } = browser;
    const { tenantId } = stint.world;
    expectType(
      (await stint.administrator.request(DemoSettingsDocument, { input: { tenantId, pushLogin: true } })).updateJitSettings,
      'Tenant',
    );
    await page.goto(`${stint.installation.url}/app`);
    await page.getByRole('heading', { name: 'Hello Zoë Zimmer' }).waitFor();
    const push = stint.login(['--method', 'push', '--email', 'zoe@northwind.example']);
    const number = await push.shownNumber();
    // Without a reload: the open page hears of it.
    await page.getByRole('heading', { name: /^Log in to / }).waitFor();
    const approve = page.getByRole('button', { name: 'Approve with your passkey' });
    expect(await approve.isDisabled()).toBe(true);
    await page.getByLabel('The number that the computer shows').fill(number);
    await approve.click();
    await page.getByRole('status').getByText('logs you in').waitFor();
    expect(stint.account((await push.result()).account)).toBe('enabled');

    const rule = { tenantId, name: 'Two pairs of eyes', effect: 'ALLOW', kinds: ['LOCAL_ADMIN'], maxSeconds: 7200, approvals: 1 };
    const saved = await ask(
      stint.administrator,
      'mutation ($input: CreateAccessRuleInput!) { answer: createAccessRule(input: $input) { __typename ... on Problem { message } } }',
      { input: { id: newId(), ...rule } },
    );
    expect(saved['answer']).toMatchObject({ __typename: 'AccessRule' });
    const login = stint.login(['--method', 'qr']);
    const address = await login.qrAddress();
    const shown = await stint.phone.scan(address);
    await expect(stint.phone.approve(address, shown, 'Server room')).rejects.toThrow('made no grant');
    await page.getByRole('heading', { name: /Anna .* asks for/ }).waitFor();
    await page.getByText('Server room').waitFor();
    await page.getByLabel('For how long').selectOption({ label: '5 min' });
    await approve.click();
    await page
      .getByRole('status')
      .getByText(/You approved Anna/)
      .waitFor();
    const { account, grantId } = await login.result();
    expect(stint.account(account)).toBe('enabled');
    await eventually(async () => {
      const { grant } = await ask(stint.administrator, 'query ($id: ID!) { grant(id: $id) { activeAt expiresAt } }', { id: grantId });
      const { activeAt, expiresAt } = grant as unknown as Record<'activeAt' | 'expiresAt', string>;
      expect(Date.parse(expiresAt) - Date.parse(activeAt)).toBe(300_000);
    });
  });

  test('sets up codes; the secret is opened in this browser alone', async () => {
    const { page } = browser;
    await page.goto(`${stint.installation.url}/app`);
    await page.getByRole('button', { name: 'Set up codes' }).click();
    await page.getByText('This browser has it.').waitFor();
    await page.goto(`${stint.installation.url}/app/offline#${newId()}`);
    await eventually(async () => expect(await page.locator('.number').innerText()).toMatch(/^[0-9]{6}$/));
  });

  test('a session that is signed out elsewhere has to sign in again', async () => {
    const { page } = browser;
    await page.goto(`${stint.installation.url}/app`);
    await page.getByRole('button', { name: 'Sign out here' }).click();
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByRole('heading', { name: 'Hello Zoë Zimmer' }).waitFor();
  });

  test('nothing in the pages breaks their strict policy', () => {
    expect(errors).toEqual([]);
  });
});
