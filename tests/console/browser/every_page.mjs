// Every page: nothing that axe finds wrong, nothing that sticks out, and fields that stand in rows, in
// each look; with a folder for screenshots, those instead. A page is loaded once, and follows what the
// browser looks like.
const BYTES_MAX = 100_000;

export default async function (kit) {
  const { looks, pages } = kit.given;
  const page = await kit.visitor();
  await kit.signIn(page);
  for (const { name, path } of pages) {
    const answer = await page.goto(kit.home + path);
    if (answer.status() !== 200) throw new Error(`${path} answers ${answer.status()}`);
    const { length } = await answer.body();
    if (length > BYTES_MAX) kit.complaints.push(`${path} has ${length} bytes`);
    await page.evaluate(() => Promise.all([...document.images].map((image) => {
      image.loading = "eager"; // else one below the fold is never there
      return image.decode().catch(() => undefined);
    })));
    for (const look of looks) {
      await page.setViewportSize({ width: look.width, height: look.height });
      await page.emulateMedia({ colorScheme: look.scheme });
      await page.evaluate(() => new Promise(requestAnimationFrame)); // the menu folds before that
      if (kit.given.shots) {
        await kit.shot(page, `${name}-${look.name}`);
        continue;
      }
      // All of them are told, not just the first.
      const what = `${path} in ${look.name}`;
      for (const check of [() => kit.accessible(page, path, look.rules), () => kit.fits(page),
        () => kit.aligned(page)]) {
        await check().catch((error) => kit.complaints.push(`${what}: ${error.message}`));
      }
    }
  }
}
