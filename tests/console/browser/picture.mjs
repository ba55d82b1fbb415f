// A picture is bought in the playground, found by its words in the gallery, rejected, and bought
// again; what is asked for a second time is free.
export default async function (kit, assert) {
  const { look, prompt, app } = kit.given;
  const urls = [];
  const page = await kit.visitor({
    colorScheme: look.scheme,
    viewport: { width: look.width, height: look.height },
  });
  page.on("request", (request) => urls.push(request.url()));
  await kit.signIn(page);

  async function checked() {
    await kit.accessible(page);
    await kit.fits(page);
  }

  async function play() {
    await kit.go(page, `/playground?app=${app}&model=openai/gpt-image-2`, "Playground");
    await page.getByLabel("Quality").selectOption("low");
    await page.getByLabel("Prompt").fill(prompt);
  }

  // Another model has another form, and keeps the prompt.
  await play();
  await page.getByLabel("Model").selectOption("openai/gpt-image-2.5/flare/edit");
  await page.getByLabel("Image Urls").first().waitFor();
  assert.equal(await page.getByLabel("Prompt").inputValue(), prompt);

  // The price is there while one types, and before anything is bought.
  await play();
  await page.locator("#price", { hasText: "miss" }).waitFor();
  await page.getByText("More settings").click();
  await checked();
  await page.getByRole("button", { name: "Make the picture" }).click();
  await page.getByRole("heading", { name: "Headers of the answer" }).waitFor();
  assert.equal(await page.getByText("Nothing of it was in the cache").count(), 1);
  assert.equal(await page.getByRole("link", { name: "Its line in the ledger" }).count(), 1);
  await checked();

  await play();
  await page.locator("#price", { hasText: "hit" }).waitFor();
  await page.getByRole("button", { name: "Make the picture" }).click();
  await page.getByText("All of it was in the cache").waitFor();

  // A model with input pictures, and a request that it refuses.
  await kit.go(page, "/playground?model=openai/gpt-image-2/edit", "Playground");
  await page.getByLabel("Prompt").fill("a hat on it");
  await page.getByRole("button", { name: "Make the picture" }).click();
  await page.locator("[aria-invalid]").first().waitFor();
  await checked();

  await kit.go(page, "/gallery", "Gallery");
  await checked();
  await page.getByLabel("Words of the prompt").fill(prompt);
  await page.getByRole("button", { name: "Show" }).click();
  await page.getByRole("link", { name: "Clear" }).waitFor();
  assert.equal(await page.locator(".gallery li").count(), 1);
  await page.locator(".gallery a").click();
  await kit.heading(page, /^Picture/);
  const first = page.url();
  assert.match(await page.locator("#curl").innerText(), new RegExp(prompt));
  await checked();

  // Copied, or selected where the browser lets no page copy.
  await page.getByRole("button", { name: "Copy curl" }).click();
  await page.getByRole("button", { name: /Copied|Press Ctrl/ }).waitFor();

  await page.getByLabel("Reason").fill("too dark");
  await page.getByRole("button", { name: "Buy again" }).click();
  await page.getByText(/It costs about \$0/).waitFor();
  await checked();
  await page.getByRole("button", { name: "Reject it and buy another" }).click();
  await page.getByText(/this one bought for \$0/).waitFor();
  assert.notEqual(page.url(), first);

  await page.getByRole("button", { name: "Reject", exact: true }).click();
  await page.getByText("Every pool loses it").waitFor();
  await page.getByRole("button", { name: "Reject it" }).click();
  await page.getByText("The picture was rejected").waitFor();

  await play();
  await page.locator("#price", { hasText: "miss" }).waitFor();
  assert.deepEqual(urls.filter((url) => url.includes(prompt)), []);
}
