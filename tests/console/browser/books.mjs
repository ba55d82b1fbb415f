// The log, a request's path, the ledger, an entry and the audit log, as one follows the money: with
// the keyboard's labels.
export default async function (kit, assert) {
  const page = await kit.signIn(await kit.visitor());
  const looked = async () => {
    await kit.accessible(page);
    await kit.fits(page);
  };

  await page.getByRole("link", { name: "Requests" }).click();
  await kit.heading(page, "Requests");
  await looked();
  await page.getByText("Filter", { exact: true }).click();
  await page.getByLabel("Outcome").selectOption("refused");
  await page.getByLabel("Team", { exact: true }).fill(kit.given.team);
  await page.getByRole("button", { name: "Show" }).click();
  await page.getByRole("link", { name: /^Outcome: .* remove$/ }).waitFor();
  assert.equal(await page.getByRole("row").count(), 2);
  assert.match(page.url(), /outcome=refused/);
  await looked();
  await page.getByRole("rowheader").getByRole("link").click();
  await page.getByText("What was asked for is not valid").waitFor();
  await looked();
  await page.goBack();
  await page.getByRole("link", { name: /^Outcome: .* remove$/ }).click();
  await page.getByRole("row").filter({ hasText: "miss" }).getByRole("link").first().click();
  await page.getByRole("heading", { name: "Path" }).waitFor();
  await page.getByText("Bought", { exact: true }).waitFor();
  await looked();

  await page.getByRole("region", { name: "Entries of the job" })
    .getByRole("rowheader").getByRole("link").click();
  await page.getByRole("heading", { level: 1, name: /End of a job/ }).waitFor();
  await looked();
  await page.getByRole("definition").getByRole("link", { name: /^[0-9a-f]{32}$/ }).click();
  await kit.heading(page, "Ledger");
  await page.getByText("no sums are kept by job").waitFor();
  await looked();
  const file = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download as CSV" }).click();
  assert.equal((await file).suggestedFilename(), "ledger.csv");
  await page.getByText("Health", { exact: true }).click();
  await page.getByText("Archived until").waitFor();
  await page.getByRole("link", { name: "Clear" }).click();
  await looked();

  await page.getByRole("link", { name: "Audit log" }).click();
  await kit.heading(page, "Audit log");
  await page.getByRole("group").getByText(/fields$/).first().click();
  await page.getByRole("row").filter({ hasText: kit.given.team }).first().waitFor();
  await looked();
}
