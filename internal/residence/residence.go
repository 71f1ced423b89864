// Package residence gives back memory that only the start of the program needed.
//
// Starting runs the initialisers of hundreds of packages, whose code and tables lie over the whole file; the kernel maps
// 64 KiB around each page that is touched, so nine tenths of a 58 MB program are counted as resident for ever.
package residence
