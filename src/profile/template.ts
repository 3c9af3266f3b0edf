const token = /\{\{|\}\}|\{n\}|[{}]|[^{}]+/g;

/**
 * Fills a seed template for row `n`: `{n}` is the row's number, `{{` and `}}` are literal braces (Redis Cluster hash
 * tags); a lone `}` stands for itself.
 */
export function expandTemplate(template: string, n: number): string {
  return template.replace(token, (part) => (part === '{n}' ? String(n) : part === '{{' ? '{' : part === '}}' ? '}' : part));
}

/** Whether a template differs from row to row. */
export function dependsOnRow(template: string): boolean {
  return [...template.matchAll(token)].some(([part]) => part === '{n}');
}

/** What is wrong with a template's braces, in words; undefined where nothing is. */
export function templateProblem(template: string): string | undefined {
  const lone = [...template.matchAll(token)].some(([part]) => part === '{');
  return lone ? 'expected `{n}` for the row’s number, or `{{` for a literal brace' : undefined;
}
