// The API's own page: swagger-ui over this service's OpenAPI document, with the page's session.
// Without tryItOut validators or other services: nothing leaves the origin.

window.SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
});
