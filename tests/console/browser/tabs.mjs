// Two tabs of one session, the way back, a second click, and a session that has ended meanwhile.
export default async function (kit, assert) {
  const first = await kit.signIn(await kit.visitor());
  const second = await first.context().newPage();
  for (const [page, name] of [[first, kit.given.teams[0]], [second, kit.given.teams[1]]]) {
    await kit.go(page, "/teams/new", "New team");
    await page.getByLabel("Name").fill(name);
    await page.getByRole("button", { name: "Look at the change" }).click();
    await page.getByText(`Team ${name} is made.`).waitFor();
  }
  // Each tab has a form of its own: neither takes the other's.
  for (const [page, name] of [[second, kit.given.teams[1]], [first, kit.given.teams[0]]]) {
    await page.getByRole("button", { name: "Create" }).dblclick();
    await page.getByText(`The team ${name} is there.`).waitFor();
  }

  // The form that was there before the change is filled in still, and can be used anew.
  await kit.go(first, `/teams/${kit.given.teams[0]}/edit`, /Change/);
  await first.getByLabel("Weight").fill("7");
  await first.getByRole("button", { name: "Look at the change" }).click();
  await first.getByRole("link", { name: "Cancel" }).click();
  await kit.heading(first, kit.given.teams[0]);
  assert.match(await first.locator("main").innerText(), /Weight\s+1/);

  // One tab signs out; a form that the other has open changes nothing.
  await kit.go(second, `/teams/${kit.given.teams[1]}/edit`, /Change/);
  await second.getByLabel("Weight").fill("9");
  await first.getByRole("button", { name: "Sign out" }).click();
  await first.getByLabel(/key/i).waitFor();
  await second.getByRole("button", { name: "Look at the change" }).click();
  await second.getByRole("heading", { level: 1, name: "Your session has ended" }).waitFor();
  await kit.accessible(second);
}
