# Completions of pmdev for elvish: pmdev completions elvish

set edit:completion:arg-completer[pmdev] = { |@words|
    var index = (count $words)
    set index = (- $index 1)

    put (env _CLAP_IFS="\n" _CLAP_COMPLETE_INDEX=(to-string $index) PMDEV_COMPLETE="elvish" pmdev -- $@words) | to-lines
}
