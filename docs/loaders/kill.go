// Loads an exported object with cilium/ebpf, test-runs one of its programs, and kills that run after some milliseconds.
//
//	go run kill.go killable.o PROGRAM 20
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/cilium/ebpf"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	spec, err := ebpf.LoadCollectionSpec(os.Args[1])
	check(err)
	coll, err := ebpf.NewCollection(spec)
	check(err)
	defer coll.Close()
	words := coll.Maps[".data.swansong_kill"]
	value := make([]byte, words.ValueSize()) // a word of 4 bytes for each program, the first one's first
	wait, err := strconv.Atoi(os.Args[3])
	check(err)

	ended := make(chan uint32)
	begun := time.Now()
	go func() {
		ret, _, err := coll.Programs[os.Args[2]].Test(make([]byte, 64))
		check(err)
		ended <- ret
	}()
	time.Sleep(time.Duration(wait) * time.Millisecond)
	value[0] = 1 // kill the first program of the object
	check(words.Update(uint32(0), value, ebpf.UpdateExist))
	killed := time.Now()
	ret := <-ended
	value[0] = 0 // let new runs begin
	check(words.Update(uint32(0), value, ebpf.UpdateExist))
	fmt.Printf("returned %d after %d us, %d us after the kill\n", ret, time.Since(begun).Microseconds(), time.Since(killed).Microseconds())
}
