// Signing in shows the overview, and signing out ends the session.
export default async function (kit, assert) {
  const page = await kit.visitor();
  await page.goto(kit.home);
  await kit.accessible(page);
  await kit.signIn(page);
  await kit.accessible(page);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel(/key/i).waitFor();
  await page.goBack();
  await page.getByLabel(/key/i).waitFor();
  assert.match(page.url(), /sign-in/);
}
