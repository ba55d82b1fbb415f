// Go's net/http with its defaults: makes the calls that stdin asks for.
package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func main() {
	calls := bufio.NewScanner(os.Stdin)
	for calls.Scan() {
		call := strings.Split(calls.Text(), "\t")
		status, cache, body := ask(call[0], call[1], call[2], call[3])
		fmt.Printf("%s\t%s\t%s\n", status, cache, base64.StdEncoding.EncodeToString(body))
	}
}

func ask(method, url, key, file string) (string, string, []byte) {
	var sent io.Reader
	var size int64
	if file != "" {
		opened, err := os.Open(file)
		if err != nil {
			return "error", "", []byte(err.Error())
		}
		defer opened.Close()
		found, _ := opened.Stat()
		sent, size = opened, found.Size()
	}
	request, err := http.NewRequest(method, url, sent)
	if err != nil {
		return "error", "", []byte(err.Error())
	}
	request.ContentLength = size
	request.Header.Set("Authorization", "Key "+key)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "error", "", []byte(err.Error())
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return "error", "", []byte(err.Error())
	}
	return fmt.Sprint(answer.StatusCode), answer.Header.Get("x-falgate-cache"), body
}
