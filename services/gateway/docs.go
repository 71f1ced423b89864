package gateway

import (
	"embed"
	"html/template"
	"net/http"
	"path"

	"github.com/provenir/provenir/gen/openapi"
)

//go:embed page
var pages embed.FS

func openAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(openapi.JSON) // the client may have gone
}

// docsPage is the reference: our own page over /openapi.json, without a byte from elsewhere.
func docsPage(w http.ResponseWriter, r *http.Request) { servePage(w, r, "docs.html") }

func docsAsset(w http.ResponseWriter, r *http.Request) { servePage(w, r, path.Base(r.URL.Path)) }

func servePage(w http.ResponseWriter, r *http.Request, name string) {
	b, err := pages.ReadFile("page/" + name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	types := map[string]string{".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	w.Header().Set("Content-Type", types[path.Ext(name)])
	_, _ = w.Write(b) // the client may have gone
}

var homePage = template.Must(template.ParseFS(pages, "page/home.html"))

// home says where things are, until the dashboard is built.
func home(version string, metrics bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = homePage.Execute(w, map[string]any{"Version": version, "Metrics": metrics}) // the client may have gone
	}
}
