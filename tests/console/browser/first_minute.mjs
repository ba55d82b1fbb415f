// The first minute: a link signs in, and an empty console leads to an app, a picture and its price.
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

  // The playground makes the first picture, with the app that was set up.
  await page.getByRole("link", { name: "Go to: Make a picture" }).click();
  await kit.heading(page, "Playground");
  await page.getByLabel("Prompt").fill("a lighthouse at dawn");
  await page.getByLabel("Quality").selectOption("low");
  await page.locator("#price", { hasText: "miss" }).waitFor();
  await page.getByRole("button", { name: "Make the picture" }).click();
  await page.getByRole("heading", { name: "Headers of the answer" }).waitFor();
  await kit.accessible(page);

  // Its line is in the ledger; with that the steps are done, and gone.
  await page.getByRole("link", { name: "Its line in the ledger" }).click();
  await page.getByText("web/shop").first().waitFor();
  await page.goto(kit.home);
  await kit.heading(page, "Overview");
  assert.equal(await page.getByRole("link", { name: "Go to: Make a picture" }).count(), 0);
  const step = page.getByRole("button", { name: /Go to: .*ledger/i });
  if (await step.count()) {
    await step.click();
    await kit.heading(page, "Ledger");
    await page.goto(kit.home);
    await kit.heading(page, "Overview");
  }
  assert.equal(await page.getByRole("heading", { name: "First steps" }).count(), 0);

  // Who comes later by the same link is not let in.
  const later = await kit.visitor();
  await later.goto(kit.given.link);
  await later.getByRole("button", { name: "Sign in" }).click();
  await later.getByText("This link was used before").waitFor();
}
