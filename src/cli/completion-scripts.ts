/**
 * What each shell runs at TAB: it asks `vfleet complete` for words, a line each with a TAB before what they mean, or for
 * the line `:path`. Not a library's: those found (tab, omelette, tabtab) offer no file names beside words of their own, and
 * two need bash-completion, which is not everywhere. Nothing that was typed is evaluated.
 */
export const COMPLETION_SCRIPTS: Readonly<Record<'bash' | 'zsh' | 'fish', string>> = {
  // bash breaks words at `=` and `:`; names of rollouts hold neither. 3.2, as on macOS, has no compopt.
  bash: `# bash completion for vfleet: source <(vfleet completion bash)
_vfleet() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    if [ "$line" = ':path' ]; then
      compopt -o default 2>/dev/null
      return
    fi
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _vfleet vfleet
`,
  zsh: `#compdef vfleet
# zsh completion for vfleet: source <(vfleet completion zsh)
_vfleet() {
  local line tab=$'\\t'
  local -a found
  while IFS= read -r line; do
    if [[ "$line" == ':path' ]]; then
      _files
      return
    fi
    found+=("\${\${line%%$tab*}//:/\\\\:}:\${line#*$tab}")
  done < <("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe vfleet found
}
if [ "\${funcstack[1]}" = '_vfleet' ]; then _vfleet "$@"; else compdef _vfleet vfleet; fi
`,
  fish: `# fish completion for vfleet: vfleet completion fish | source
function __vfleet_complete
    set -l tokens (commandline -opc) (commandline -ct)
    set -l found ($tokens[1] complete -- $tokens[2..-1] 2>/dev/null)
    if test "$found" = ':path'
        __fish_complete_path (commandline -ct)
    else
        printf '%s\\n' $found
    end
end
complete -c vfleet -f -a '(__vfleet_complete)'
`,
};
