module brook/compat/expected

go 1.24
