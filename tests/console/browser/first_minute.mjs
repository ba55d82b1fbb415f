// The first minute: a link signs in, and an empty console leads to an app with a key.
export default async function (kit, assert) {
  const page = await kit.visitor();
  await page.goto(kit.given.link);
  await kit.accessible(page);
  await page.getByRole("button", { name: "Sign in" }).click();
  await kit.heading(page, "Overview");
  await kit.accessible(page);
  await page.getByRole("link", { name: "Go to: Set up an app" }).click();
  await kit.heading(page, "Set up an app");
  await kit.accessible(page);
  await page.getByLabel("Team", { exact: true }).fill("web");
  await page.getByLabel("App", { exact: true }).fill("shop");
  await page.getByLabel("The key, US dollars").fill("5");
  await page.getByLabel("Requests per second").fill("5");
  await page.getByRole("button", { name: "Look at all of it" }).click();
  await page.getByText("The day budget of the new key is $5.00 from now on.").waitFor();
  await kit.accessible(page);
  await page.getByRole("button", { name: "Make all of it" }).click();
  const secret = page.locator("#secret");
  await secret.waitFor();
  assert.match(await secret.textContent(), /^fg_live_/);
  await kit.accessible(page);
  await page.getByRole("link", { name: "I have copied it" }).click();
  await kit.heading(page, /first/);
  await page.goto(kit.home);
  await page.getByRole("link", { name: "Go to: Make a picture" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "Go to: Set up an app" }).count(), 0);

  // Who comes later by the same link is not let in.
  const later = await kit.visitor();
  await later.goto(kit.given.link);
  await later.getByRole("button", { name: "Sign in" }).click();
  await later.getByText("This link was used before").waitFor();
}
