import { RootCommand } from '@bomb.sh/tab';
import { printedBy } from './printed-by.js';

/** The shells that have a script. */
export const shells = ['bash', 'zsh', 'fish'] as const;

export type ShellName = (typeof shells)[number];

/** What a shell reads to ask loadctl for completions. */
export function completionScript(shell: ShellName): string {
  if (shell === 'bash') return bashScript;
  const script = printedBy(() => new RootCommand().setup('loadctl', 'loadctl', shell));
  return shell === 'zsh' ? withQuotedPrefix(script) : script;
}

/** The library's script has zsh evaluate what was typed up to a `=`, command substitutions and all. */
function withQuotedPrefix(script: string): string {
  return script.replaceAll('-P ${BASH_REMATCH}', '-P ${(q)BASH_REMATCH}');
}

/*
 * The library's own needs the package bash-completion, and evaluates what was typed and what is offered. In COMP_WORDS `--env=dev`
 * is three words; bash 3.2 has neither compopt nor negative indexes.
 */
const bashScript = `# bash completion for loadctl
__loadctl_complete() {
    local word line joining=''
    local -a words=()
    for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
        if [[ $word == '=' && \${#words[@]} -gt 0 ]]; then
            words[\${#words[@]}-1]+='='
            joining=1
        elif [[ -n $joining ]]; then
            words[\${#words[@]}-1]+=$word
            joining=''
        else
            words+=("$word")
        fi
    done
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == ':0' ]]; then
            compopt -o default 2>/dev/null
        elif [[ $line != :* ]]; then
            COMPREPLY+=("\${line%%$'\\t'*}")
        fi
    done < <(loadctl complete -- "\${words[@]}" 2>/dev/null)
}
complete -F __loadctl_complete loadctl
`;
