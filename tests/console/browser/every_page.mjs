// Every page: nothing that axe finds wrong, nothing that sticks out, and fields that stand in rows, in
// one look; with a folder for screenshots, those instead.
const BYTES_MAX = 100_000;

export default async function (kit) {
  const { look, pages } = kit.given;
  const page = await kit.visitor({
    colorScheme: look.scheme,
    viewport: { width: look.width, height: look.height },
  });
  await kit.signIn(page);
  for (const { name, path } of pages) {
    const answer = await page.goto(kit.home + path);
    if (answer.status() !== 200) throw new Error(`${path} answers ${answer.status()}`);
    const { length } = await answer.body();
    if (length > BYTES_MAX) kit.complaints.push(`${path} has ${length} bytes`);
    await page.waitForLoadState("load");
    await page.evaluate(() => Promise.all([...document.images].map((image) => {
      image.loading = "eager"; // else one below the fold is never there
      return image.decode().catch(() => undefined);
    })));
    if (kit.given.shots) {
      await kit.shot(page, `${name}-${look.name}`);
    } else {
      // All of them are told, not just the first.
      for (const check of [() => kit.accessible(page, path, look.rules), () => kit.fits(page),
        () => kit.aligned(page)]) {
        await check().catch((error) => kit.complaints.push(`${path}: ${error.message}`));
      }
    }
  }
}
