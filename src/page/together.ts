/** A chart as the others see it. */
export interface Member {
  /** Moves its crosshair to a moment, or takes it away. */
  point(seconds: number | undefined): void;
  /** Shows this span, in seconds. */
  zoom(from: number, to: number): void;
}

/** Charts with one crosshair and one zoom. */
export interface Together {
  add(member: Member): void;
  /** The one that says so moved its crosshair. */
  pointed(by: Member, seconds: number | undefined): void;
  zoomed(by: Member, from: number, to: number): void;
  /** What all of them show now. */
  readonly span: { readonly from: number; readonly to: number };
}

/** {@link Together} over a load of this length. */
export function together(endSeconds: number): Together {
  const members: Member[] = [];
  let span = { from: 0, to: endSeconds };
  let told = false;
  // What the others do because of it comes back here.
  const tell = (by: Member, what: (member: Member) => void) => {
    if (told) return;
    told = true;
    for (const member of members) if (member !== by) what(member);
    told = false;
  };
  return {
    add: (member) => void members.push(member),
    pointed: (by, seconds) => tell(by, (member) => member.point(seconds)),
    zoomed: (by, from, to) => {
      if (!told) span = { from, to };
      tell(by, (member) => member.zoom(from, to));
    },
    get span() {
      return span;
    },
  };
}
