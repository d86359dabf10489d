# claudex completion for fish:  claudex self completions fish > ~/.config/fish/completions/claudex.fish
#
# A table line is scope|word|takes|help: takes is empty, ? for a value, or the values themselves; <1> is the first
# positional. Our own words stand below. claude's come from a cache that a background job fills once per claude version.

set -g __claudex_own '
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
self env|--fix||Let the file name this home\'s port and token
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
'

function __claudex_lines
    set -l cache ~/.cache
    set -q XDG_CACHE_HOME; and test -n "$XDG_CACHE_HOME"; and set cache $XDG_CACHE_HOME
    string split \n -- $__claudex_own
    test -r $cache/claudex/claude-words; and cat $cache/claudex/claude-words
end

function __claudex_refresh
    set -q __claudex_refreshed; and return
    set -g __claudex_refreshed 1
    set -l program $argv[1]
    sh -c '"$0" self claude-words </dev/null >/dev/null 2>&1 &' $program
end

function __claudex_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l previous $words[-1]
    set -l lines (__claudex_lines)
    set -l scope ''
    set -l position 0
    __claudex_refresh $words[1]
    for index in (seq 2 (count $words))
        set -l word $words[$index]
        string match -q -- '-*' $word; and continue
        set -l head (string escape --style=regex -- "$scope|$word|")
        if test $position -eq 0; and begin
                test -n "$scope"; or test $index -eq 2
            end; and string match -q -r -- "^$head" $lines
            set scope (string trim -- "$scope $word")
        else
            set position (math $position + 1)
        end
    end
    set -l offered 0
    for line in $lines
        set -l fields (string split -m 3 '|' -- $line)
        test (count $fields) -eq 4; and test "$fields[1]" = "$scope"; or continue
        if string match -q -- '-*' $previous; and test "$previous" = "$fields[2]"; and test -n "$fields[3]"; and not string match -q -- '-*' $current
            if test "$fields[3]" = '?'
                __fish_complete_path $current
            else
                string split , -- $fields[3]
            end
            return
        end
        switch $fields[2]
            case '-*'
                string match -q -- '-*' $current; and printf '%s\t%s\n' $fields[2] $fields[4]
            case '<*'
                test "$fields[2]" = "<"(math $position + 1)">"; or continue
                string split , -- $fields[3]
                set offered 1
            case '*'
                test $position -eq 0; or continue
                test -n "$scope"; or test (count $words) -eq 1; or continue
                printf '%s\t%s\n' $fields[2] $fields[4]
                set offered 1
        end
    end
    if test $offered -eq 0; and not string match -q -- '-*' $current
        __fish_complete_path $current
    end
end

complete -c claudex -f -a '(__claudex_complete)'
