# Completions of pmdev for fish: pmdev completions fish
complete --keep-order --exclusive --command pmdev --arguments "(PMDEV_COMPLETE=fish pmdev -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
