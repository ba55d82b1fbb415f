// Somebody signs in through the pages of the provider, which is another site, and goes on to the
// page that they wanted; somebody else is told why they may not, and uses a key.
export default async function (kit, assert) {
  const page = await kit.visitor();
  await page.goto(`${kit.home}/teams`);
  await page.getByRole("link", { name: /^Sign in with localhost/ }).waitFor();
  await kit.accessible(page);
  await kit.fits(page);
  await kit.shot(page, "sign-in-by-provider");
  await at_provider(page, "alice@example.org", "Continue");
  await kit.heading(page, "Teams & apps");
  assert.match(page.url(), /\/console\/teams$/);
  assert.ok(await page.getByText("admin:alice@example.org").isVisible());
  await kit.accessible(page);
  await kit.fits(page);
  await kit.shot(page, "signed-in-by-provider");
  const kept = await page.context().cookies(kit.home);
  assert.deepEqual(kept.map((each) => [each.name, each.sameSite, each.httpOnly]),
    [["falgate_console", "Strict", true]]);

  const other = await kit.visitor({ viewport: { width: 360, height: 700 } });
  await other.goto(kit.home);
  await at_provider(other, "eve", "Continue");
  await other.getByRole("alert").getByText("None of your groups").waitFor();
  await kit.accessible(other);
  await kit.fits(other);
  await kit.shot(other, "refused-by-provider");
  await other.getByLabel(/key/i).fill(kit.given.admin_key);
  await other.getByRole("button", { name: "Sign in" }).click();
  await kit.heading(other, "Overview");
}

async function at_provider(page, name, button) {
  await page.getByRole("link", { name: /^Sign in with localhost/ }).click();
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: button }).click();
}
