// Who has no session sees no picture either, though this browser was sent it before.
export default async function (kit, assert) {
  const picture = `${kit.home}/gallery/${kit.given.picture}/file`;
  const answers = [];
  const page = await kit.visitor();
  page.on("response", (answer) => answers.push([answer.url(), answer.status()]));
  const seen = async () => {
    await page.goto(`${kit.home}/gallery/${kit.given.picture}`);
    await page.locator("img.picture").evaluate((image) => image.decode());
  };
  const asked = async () => {
    await page.goto(picture);
    await page.getByLabel(/key/i).waitFor();
    assert.match(page.url(), /sign-in/);
  };

  await kit.signIn(page);
  await seen();
  await seen();
  assert.ok(answers.some(([url]) => url === picture));
  await page.context().clearCookies();
  await asked();

  await kit.signIn(page);
  await seen();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel(/key/i).waitFor();
  await asked();
}
