// What a viewer and a lead of a team see, and what is neither offered to them nor done for them.
export default async function (kit, assert) {
  const { viewer_key, lead_key, team, other } = kit.given;

  const viewer = await kit.signIn(await kit.visitor(), viewer_key);
  for (const [path, heading] of [
    ["/teams", "Teams & apps"], [`/teams/${team}`, team], ["/keys", "Keys"],
    ["/budgets", "Budgets"], ["/operators", "Operators"], ["/models", "Models"], ["/audit", "Audit log"],
  ]) {
    await kit.go(viewer, path, heading);
    // Signing out is all that a viewer may send; filters are sent by GET.
    const forms = await viewer.locator('main form[method="post"]').count();
    const offers = await viewer.locator("main a").evaluateAll((links) => links
      .map((link) => link.getAttribute("href"))
      .filter((href) => /\/(new|edit|set|raise|reset|rotate|setup)(\?|$)/.test(href)));
    assert.deepEqual([forms, offers], [0, []], path);
  }
  assert.equal(await viewer.getByRole("link", { name: "Playground" }).count(), 0);
  await viewer.goto(`${kit.home}/playground`);
  await viewer.getByRole("heading", { level: 1, name: /may not|no such page/ }).waitFor();

  const lead = await kit.signIn(await kit.visitor(), lead_key);
  assert.deepEqual(await lead.locator("nav li a").evaluateAll((all) => all
    .map((link) => link.textContent.trim()).filter((name) => /Operators|Audit|Models|Config/.test(name))), []);
  await kit.go(lead, "/keys", "Keys");
  const text = await lead.locator("main").innerText();
  assert.match(text, new RegExp(team));
  assert.ok(!text.includes(other), "a lead sees another team's key");
  await kit.go(lead, `/teams/${team}`, team);
  for (const path of [`/teams/${other}`, `/keys/${kit.given.other_key}`, "/operators", "/audit", "/config"]) {
    const answer = await lead.goto(kit.home + path);
    assert.ok([403, 404].includes(answer.status()), `${path} answers ${answer.status()}`);
    assert.ok(!(await lead.locator("main").innerText()).includes("fg_"), path);
  }
}
