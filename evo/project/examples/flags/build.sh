# Compiles program.c with the flags of flags.txt, and bench.c, which times and checks it, always with the same. Do not modify.
set -e
sed 's/ *#.*//' flags.txt > options
cc @options -c program.c
cc -O1 bench.c program.o -o bench -lm
./bench
