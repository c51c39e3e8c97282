# Completions of pmdev for powershell: pmdev completions powershell

Register-ArgumentCompleter -Native -CommandName pmdev -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $prev = $env:PMDEV_COMPLETE;
    $env:PMDEV_COMPLETE = "powershell";

    $args = $commandAst.Extent.Text
    $args = $args.Substring(0, [math]::Min($cursorPosition, $args.Length));
    if ($wordToComplete -eq "") {
        $args += " ''";
    }

    $results = Invoke-Expression @"
& pmdev -- $args
"@;
    if ($null -eq $prev) {
        Remove-Item Env:\PMDEV_COMPLETE;
    } else {
        $env:PMDEV_COMPLETE = $prev;
    }
    $results | ForEach-Object {
        $split = $_.Split("`t");
        $cmd = $split[0];

        if ($split.Length -eq 2) {
            $help = $split[1];
        }
        else {
            $help = $split[0];
        }

        [System.Management.Automation.CompletionResult]::new($cmd, $cmd, 'ParameterValue', $help)
    }
};
