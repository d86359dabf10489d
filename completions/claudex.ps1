# claudex completion for PowerShell:  claudex self completions powershell | Out-String | Invoke-Expression
#
# A table line is scope|word|takes|help: takes is empty, ? for a value, or the values themselves; <1> is the first
# positional. Our own words stand below. claude's come from a cache that a background job fills once per claude version.

$script:ClaudexOwn = @'
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
'@

Register-ArgumentCompleter -Native -CommandName claudex -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $base = if ($env:XDG_CACHE_HOME) { $env:XDG_CACHE_HOME } else { Join-Path $HOME '.cache' }
    $cache = Join-Path (Join-Path $base 'claudex') 'claude-words'
    $lines = @($script:ClaudexOwn -split "`r?`n")
    if (Test-Path -LiteralPath $cache) { $lines += Get-Content -LiteralPath $cache -Encoding UTF8 }
    if (-not $script:ClaudexRefreshed) {
        $script:ClaudexRefreshed = $true
        $null = Start-Job { param($program) & $program self claude-words *> $null } -ArgumentList $commandAst.CommandElements[0].ToString()
    }

    $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition -or ($wordToComplete -eq '' -and $_.Extent.EndOffset -le $cursorPosition) } | ForEach-Object { $_.ToString() })
    $previous = $words[-1]
    $scope = ''
    $position = 0
    for ($index = 1; $index -lt $words.Count; $index++) {
        $word = $words[$index]
        if ($word.StartsWith('-')) { continue }
        $head = "$scope|$word|"
        if ($position -eq 0 -and ($scope -or $index -eq 1) -and ($lines | Where-Object { $_.StartsWith($head) })) {
            $scope = "$scope $word".Trim()
        } else {
            $position++
        }
    }

    $found = @()
    foreach ($line in $lines) {
        $fields = $line.Split('|', 4)
        if ($fields.Count -lt 4 -or $fields[0] -cne $scope) { continue }
        if ($previous.StartsWith('-') -and $previous -ceq $fields[1] -and $fields[2] -and -not $wordToComplete.StartsWith('-')) {
            if ($fields[2] -eq '?') { return }
            $found = @($fields[2].Split(',') | ForEach-Object { , @($_, $_) })
            break
        }
        if ($fields[1].StartsWith('-')) {
            if ($wordToComplete.StartsWith('-')) { $found += , @($fields[1], $fields[3]) }
        } elseif ($fields[1].StartsWith('<')) {
            if ($fields[1] -eq "<$($position + 1)>") { $found += @($fields[2].Split(',') | ForEach-Object { , @($_, $_) }) }
        } elseif ($position -eq 0 -and ($scope -or $words.Count -eq 1)) {
            $found += , @($fields[1], $fields[3])
        }
    }
    $found | Where-Object { $_[0].StartsWith($wordToComplete) } | ForEach-Object {
        $help = if ($_[1]) { $_[1] } else { $_[0] }
        [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $help)
    }
}
