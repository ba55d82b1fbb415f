// A key is rotated: its new secret is shown once and copied; a refused form is marked.
export default async function (kit, assert) {
  const page = await kit.visitor({ permissions: ["clipboard-read", "clipboard-write"] });
  await kit.signIn(page);
  const key = kit.given.key_id;
  await kit.go(page, `/keys/${key}`, /./);
  await page.getByRole("link", { name: "Rotate" }).click();
  await page.getByRole("button", { name: "Look at the change" }).click();
  await page.getByText("This cannot be undone.").waitFor();
  await kit.accessible(page);
  await page.getByRole("button", { name: "Give it a new secret" }).click();
  const secret = await page.locator("#secret").textContent();
  assert.match(secret, new RegExp(`^fg_live_${key}_`));
  await page.getByRole("button", { name: "Copy Secret" }).click();
  await page.getByRole("button", { name: /Copied/ }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  await kit.accessible(page);

  await kit.go(page, `/keys/${key}`, /./);
  assert.ok(!(await page.content()).includes(secret));

  // What was refused is marked, keeps its values, and has the focus.
  await kit.go(page, `/keys/${key}/edit`, "Change the key");
  await page.getByLabel("Name", { exact: true }).fill("still here");
  await page.getByLabel("Purchases at once").fill("many");
  await page.getByRole("button", { name: "Look at the change" }).click();
  await page.getByRole("alert").getByText("Purchases at once").waitFor();
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "still here");
  assert.equal(await page.locator(":focus").getAttribute("name"), "generations_at_once");
  await kit.accessible(page);
}
