/** What a plan has to know of the backend that its profile names; the runners' registry tells it (src/runners). */
export interface BackendFacts {
  /** Whether this version has it. */
  readonly isBuilt: boolean;
  /** Its runners are processes of this machine. */
  readonly isHere: boolean;
  /** The machines that runners are dealt to in turn, as ssh writes them; none where each runner gets a place of its own. */
  readonly hosts: readonly string[];
}
