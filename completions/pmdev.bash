# Completions of pmdev for bash: pmdev completions bash

_clap_complete_pmdev() {
    local IFS=$'\013'
    local _CLAP_COMPLETE_INDEX=${COMP_CWORD}
    local _CLAP_COMPLETE_COMP_TYPE=${COMP_TYPE}
    if compopt +o nospace 2> /dev/null; then
        local _CLAP_COMPLETE_SPACE=false
    else
        local _CLAP_COMPLETE_SPACE=true
    fi
    local words=("${COMP_WORDS[@]}")
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        words[COMP_CWORD]="$2"
    fi
    COMPREPLY=( $( \
        _CLAP_IFS="$IFS" \
        _CLAP_COMPLETE_INDEX="$_CLAP_COMPLETE_INDEX" \
        _CLAP_COMPLETE_COMP_TYPE="$_CLAP_COMPLETE_COMP_TYPE" \
        _CLAP_COMPLETE_SPACE="$_CLAP_COMPLETE_SPACE" \
        PMDEV_COMPLETE="bash" \
        "pmdev" -- "${words[@]}" \
    ) )
    if [[ $? != 0 ]]; then
        unset COMPREPLY
    elif [[ $_CLAP_COMPLETE_SPACE == false ]] && [[ "${COMPREPLY-}" =~ [=/:]$ ]]; then
        compopt -o nospace
    fi
}
_pmdev() {
    local line="${COMP_LINE:0:COMP_POINT}" word="" at=$COMP_CWORD
    local typed="${line##*[[:space:]]}" begin
    begin="${typed%"${typed##*[:=]}"}"
    if [[ -n "$begin" && "$COMP_WORDBREAKS" == *"${begin: -1}"* ]]; then
        word="${COMP_WORDS[at]}"
        while [[ "$word" != "$typed" && $at -gt 1 ]]; do
            at=$((at - 1))
            word="${COMP_WORDS[at]}$word"
        done
    fi
    if [[ -z "$word" || "$word" != "$typed" ]]; then
        _clap_complete_pmdev "$@"
        return
    fi
    local COMP_WORDS=("${COMP_WORDS[@]:0:at}" "$typed") COMP_CWORD=$at
    _clap_complete_pmdev "$1" "$typed" "$3"
    COMPREPLY=("${COMPREPLY[@]#"$begin"}")
}
if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -o nospace -o bashdefault -o nosort -F _pmdev pmdev
else
    complete -o nospace -o bashdefault -F _pmdev pmdev
fi
