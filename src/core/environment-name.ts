/** Whether a text can name an environment: letters, digits and hyphens, which mean nothing to a shell either. */
export function isEnvironmentName(text: string): boolean {
  return /^[A-Za-z0-9-]+$/.test(text);
}
