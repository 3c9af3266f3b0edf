/** What an event has to say: its words, and how they are meant. */
export interface Sentence {
  readonly tone: 'title' | 'plain' | 'faint' | 'good' | 'bad' | 'warn';
  readonly text: string;
  /** One action. */
  readonly hint?: string;
}
