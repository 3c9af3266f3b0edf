/** Runs once before the tests that need k6. */
export default function setup(): void {}
