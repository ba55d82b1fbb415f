// A budget refuses, and the overview shows it without being loaded again; hidden, it asks nothing.
export default async function (kit, assert) {
  const page = await kit.signIn(await kit.visitor());
  await page.clock.install();
  await page.goto(kit.home);
  await kit.heading(page, "Overview");
  await page.evaluate(() => { window.mark = "the same page"; });
  assert.equal(await page.getByText("402 budget").count(), 0);

  const refused = await fetch(`${kit.given.url}/openai/gpt-image-2`, {
    method: "POST",
    headers: { Authorization: `Key ${kit.given.key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ prompt: "more than its budget", quality: "high" }),
  });
  assert.equal(refused.status, 402);

  const row = page.getByRole("row").filter({ hasText: kit.given.app });
  for (let waited = 0; !(await row.getByText("402 budget").count()); waited += 1) {
    assert.ok(waited < 100, "the overview does not show the refusal");
    await page.clock.runFor(5_000);
    await page.waitForLoadState("networkidle");
  }
  assert.equal(await page.evaluate(() => window.mark), "the same page");
  await kit.accessible(page);

  await page.evaluate(() => {
    Object.defineProperty(document, "visibilityState", { get: () => "hidden", configurable: true });
  });
  // Its clock goes on by itself too, so what it asked before that does not count.
  let asked = 0;
  page.on("request", () => { asked += 1; });
  await page.clock.runFor(60_000);
  assert.equal(asked, 0, "a hidden page asks for something");
  await page.evaluate(() => {
    Object.defineProperty(document, "visibilityState", { get: () => "visible", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await page.waitForLoadState("networkidle");
  assert.ok(asked > 0, "a page that is seen again is not brought up to date");
}
