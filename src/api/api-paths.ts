/** Everything of the JSON API is below this path, on the portal's host. */
export const API = '/.sallyport/api/v1'
