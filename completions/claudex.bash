# claudex completion for bash (3.2 or newer):  source <(claudex self completions bash)
#
# A table line is scope|word|takes|help: takes is empty, ? for a value, or the values themselves; <1> is the first
# positional. Our own words stand below. claude's come from a cache that a background job fills once per claude version.

IFS= read -r -d '' _claudex_own <<'TABLE'
#begin own words, written by completions/regenerate.py
|status||Show the proxy, the login and the model map
status|--check||Also try whether ChatGPT can be reached
status|--json||Print one JSON document and nothing else
status|--help||Show what it does
|start||Start the proxy and wait until it answers
start|--json||Print one JSON document and nothing else
start|--help||Show what it does
|stop||Stop the proxy once its requests have finished
stop|--json||Print one JSON document and nothing else
stop|--help||Show what it does
|restart||Stop the proxy, then start it
restart|--json||Print one JSON document and nothing else
restart|--help||Show what it does
|sync-auth||Read the login of the Codex CLI again
sync-auth|--json||Print one JSON document and nothing else
sync-auth|--help||Show what it does
|probe||Try the whole way to ChatGPT and back
probe|--model|opus,sonnet,haiku|A slot (opus, sonnet, haiku) or any model name
probe|--json||Print one JSON document and nothing else
probe|--help||Show what it does
|self||Everything else that claudex itself can do
self|--help||Show what it does
self|status||Show the proxy, the login and the model map
self status|--check||Also try whether ChatGPT can be reached
self status|--json||Print one JSON document and nothing else
self status|--help||Show what it does
self|start||Start the proxy and wait until it answers
self start|--json||Print one JSON document and nothing else
self start|--help||Show what it does
self|stop||Stop the proxy once its requests have finished
self stop|--json||Print one JSON document and nothing else
self stop|--help||Show what it does
self|restart||Stop the proxy, then start it
self restart|--json||Print one JSON document and nothing else
self restart|--help||Show what it does
self|sync-auth||Read the login of the Codex CLI again
self sync-auth|--json||Print one JSON document and nothing else
self sync-auth|--help||Show what it does
self|probe||Try the whole way to ChatGPT and back
self probe|--model|opus,sonnet,haiku|A slot (opus, sonnet, haiku) or any model name
self probe|--json||Print one JSON document and nothing else
self probe|--help||Show what it does
self|env||Show what claude would be given, and from where
self env|--reveal||Show secrets in full
self env|--fix||Let the file name this home's port and token
self env|--json||Print one JSON document and nothing else
self env|--help||Show what it does
self|logs||Show the request log, or explain one request
self logs|-f||Go on with new lines until Ctrl-C
self logs|--follow||Go on with new lines until Ctrl-C
self logs|-n|?|How many lines to begin with
self logs|--lines|?|How many lines to begin with
self logs|--json||Print one JSON document and nothing else
self logs|--help||Show what it does
self|serve||Run the proxy in the foreground
self serve|--port|?|Instead of the one set
self serve|--json||Print one JSON document and nothing else
self serve|--help||Show what it does
self|token||Print the secret that clients show to the proxy
self token|--json||Print one JSON document and nothing else
self token|--help||Show what it does
self|version||Print the versions of claudex and its Python
self version|--json||Print one JSON document and nothing else
self version|--help||Show what it does
self|completions||Print the completions for a shell
self completions|<1>|bash,zsh,fish,powershell|
self completions|--json||Print one JSON document and nothing else
self completions|--help||Show what it does
self|cache||Show what came from the prompt cache, by session
self cache|--session|?|Only this session
self cache|--json||Print one JSON document and nothing else
self cache|--help||Show what it does
self|losses||Show what could not be carried over, by kind
self losses|--json||Print one JSON document and nothing else
self losses|--help||Show what it does
self|uninstall||Remove what claudex made
self uninstall|--yes||Do not ask
self uninstall|-y||Do not ask
self uninstall|--dry-run||Only show what would be removed
self uninstall|--json||Print one JSON document and nothing else
self uninstall|--help||Show what it does
self|simulator||Run an offline stand-in for ChatGPT
self simulator|--help||Show what it does
self|models||List the models: windows, efforts, lanes, slots
self models|--json||Print one JSON document and nothing else
self models|--help||Show what it does
self models|set||Map a slot to a model and an effort
self models set|<1>|opus,sonnet,haiku|
self models set|<3>|none,low,medium,high,xhigh,max|
self models set|--json||Print one JSON document and nothing else
self models set|--help||Show what it does
#end
TABLE

_claudex_table() {
    local cache="${XDG_CACHE_HOME:-$HOME/.cache}/claudex/claude-words"
    printf '%s' "$_claudex_own"
    [[ -r $cache ]] && cat -- "$cache"
}

_claudex() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local table scope='' position=0 i word known text takes found=''
    COMPREPLY=()
    if [[ -z ${_claudex_refreshed-} ]]; then
        _claudex_refreshed=1
        ("$1" self claude-words </dev/null >/dev/null 2>&1 &)
    fi
    table=$'\n'$(_claudex_table)
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        [[ $word == -* ]] && continue
        if ((position == 0)) && [[ $table == *$'\n'"$scope|$word|"* && (-n $scope || $i -eq 1) ]]; then
            scope="${scope:+$scope }$word"
        else
            ((position++))
        fi
    done
    while IFS='|' read -r known word takes text; do
        [[ $known == "$scope" && $word != '' ]] || continue
        if [[ $prev == -* && $prev == "$word" && -n $takes && $cur != -* ]]; then
            found=${takes//,/ }
            [[ $takes == '?' ]] && return 0
            break
        fi
        case $word in
            -*) [[ $cur == -* ]] && found+=" $word" ;;
            '<'*) [[ $word == "<$((position + 1))>" ]] && found+=" ${takes//,/ }" ;;
            *) ((position == 0)) && [[ -n $scope || $COMP_CWORD -eq 1 ]] && found+=" $word" ;;
        esac
    done <<<"$table"
    while IFS= read -r word; do
        [[ -n $word ]] && COMPREPLY+=("$word")
    done < <(compgen -W "$found" -- "$cur" | sort -u)
}

complete -o default -F _claudex claudex
