// What a file would change, and a thing that may be stopped: accessible, and they fit.
export default async function (kit) {
  for (const [colorScheme, width] of [["light", 1280], ["dark", 360]]) {
    const page = await kit.visitor({ colorScheme, viewport: { width, height: 900 } });
    await kit.signIn(page);
    await kit.go(page, "/stops/team:default", "Stop purchases of team:default");
    await kit.accessible(page);
    await kit.fits(page);
    await kit.go(page, "/config", "Configuration");
    await page.getByLabel("Or its text").fill("[team.planned]\nweight = 2\n");
    await page.getByRole("button", { name: "Look at the changes" }).click();
    await kit.heading(page, "What the file changes");
    await page.getByText("planned", { exact: true }).waitFor();
    await kit.accessible(page);
    await kit.fits(page);
  }
}
