/** What keys do to a chart. */
export interface Moved {
  readonly columns: number;
  /** The column that the crosshair is on. */
  at(): number | undefined;
  go(column: number): void;
  zoom(factor: number): void;
  showAll(): void;
}

/** Moves a chart's crosshair with the keys of a slider. */
export function byKeys(element: HTMLElement, moved: Moved): void {
  const far = Math.max(1, Math.round(moved.columns / 10));
  const by = (step: number) => () => {
    const from = moved.at() ?? (step > 0 ? -1 : moved.columns);
    moved.go(Math.min(moved.columns - 1, Math.max(0, from + step)));
  };
  const keys: Readonly<Record<string, () => void>> = {
    ArrowRight: by(1),
    ArrowUp: by(1),
    ArrowLeft: by(-1),
    ArrowDown: by(-1),
    PageUp: by(far),
    PageDown: by(-far),
    Home: () => moved.go(0),
    End: () => moved.go(moved.columns - 1),
    '+': () => moved.zoom(0.5),
    '-': () => moved.zoom(2),
    Escape: moved.showAll,
  };
  element.addEventListener('keydown', (event) => {
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}
