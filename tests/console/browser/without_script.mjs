// Without scripts, and by keyboard alone, one signs in, makes a team and buys a picture.
export default async function (kit, assert) {
  const page = await kit.visitor({ javaScriptEnabled: false });
  await page.goto(kit.home);
  // The field has the focus: one types and presses Enter.
  await page.locator("#key:focus").waitFor();
  await page.keyboard.type(kit.given.admin_key);
  await page.keyboard.press("Enter");
  await kit.heading(page, "Overview");
  await page.keyboard.press("Tab");
  assert.equal(await page.locator(":focus").innerText(), "Skip to content");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.equal(await page.locator("main :focus").count(), 1, "skipping leads into the page");

  await kit.go(page, "/teams/new", "New team");
  await page.getByLabel("Name").fill(kit.given.team);
  await page.keyboard.press("Enter");
  await page.getByText(`Team ${kit.given.team} is made.`).waitFor();
  await page.getByRole("button", { name: "Create" }).press("Enter");
  await page.getByText(`The team ${kit.given.team} is there.`).waitFor();

  await kit.go(page, `/playground?app=${kit.given.app}&model=openai/gpt-image-2`, "Playground");
  await page.getByLabel("Prompt").fill(`a team called ${kit.given.team}`);
  await page.getByLabel("Quality").selectOption("low");
  await page.getByRole("button", { name: "Look at the price" }).click();
  await page.locator("#price", { hasText: "miss" }).waitFor();
  await page.getByRole("button", { name: "Make the picture" }).click();
  await page.getByRole("heading", { name: "Headers of the answer" }).waitFor();
  assert.equal(await page.locator(".picture, .results img").count(), 1);
}
